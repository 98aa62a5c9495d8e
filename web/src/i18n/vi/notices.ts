/** The notifications, by their type. */
export default {
  'file.ready': '“{{name}}” đã sẵn sàng',
  'file.failed': 'Không xử lý được “{{name}}”',
  'file.damaged': 'Dữ liệu đã lưu của “{{name}}” bị mất hoặc bị thay đổi. Không tải xuống được tệp này.',
  'file.recovered': '“{{name}}” đã nguyên vẹn trở lại và tải xuống được',
  'share.accessed': 'Liên kết tới “{{name}}” của bạn đã được mở. Số lần đến nay: {{accessCount}}',
  'share.guessed': 'Có người đang đoán mật khẩu của liên kết tới “{{name}}”. Liên kết tạm thời chặn họ.',
};
