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
  because: '{{text}}. {{reason}}',
};
