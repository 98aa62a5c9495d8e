export default {
  title: 'Thông báo',
  open: 'Thông báo',
  openUnread_other: 'Thông báo, {{count}} chưa đọc',
  markRead: 'Đánh dấu đã đọc',
  markAll: 'Đánh dấu tất cả đã đọc',
  empty: 'Không có gì mới',
  emptyText: 'Tin về tệp của bạn sẽ hiện ở đây.',
  failed: 'Không tải được thông báo',
  unread: 'Chưa đọc',
  more_other: 'Thêm {{count}} thông báo',
  type: {
    file: {
      ready: '“{{name}}” đã sẵn sàng',
      failed: 'Không xử lý được “{{name}}”',
      failedWhy: 'Không xử lý được “{{name}}”. {{reason}}',
      damaged: 'Dữ liệu đã lưu của “{{name}}” bị mất hoặc bị thay đổi. Không tải xuống được tệp này.',
      recovered: '“{{name}}” đã nguyên vẹn trở lại và tải xuống được',
      approved: '“{{name}}” đã được duyệt',
      rejected: '“{{name}}” đã bị từ chối',
    },
  },
};
