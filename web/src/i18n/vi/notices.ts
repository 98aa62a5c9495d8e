/** The notifications, by their type. */
export default {
  'file.ready': '“{{name}}” đã sẵn sàng',
  'file.failed': 'Không xử lý được “{{name}}”',
  'file.damaged': 'Dữ liệu đã lưu của “{{name}}” bị mất hoặc bị thay đổi. Không tải xuống được tệp này.',
  'file.recovered': '“{{name}}” đã nguyên vẹn trở lại và tải xuống được',
};
