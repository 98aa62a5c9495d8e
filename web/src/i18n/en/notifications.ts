export default {
  title: 'Notifications',
  open: 'Notifications',
  openUnread_one: 'Notifications, {{count}} unread',
  openUnread_other: 'Notifications, {{count}} unread',
  markRead: 'Mark as read',
  markAll: 'Mark all as read',
  empty: 'You are up to date',
  emptyText: 'News about your files appears here.',
  failed: 'Notifications could not be loaded',
  unread: 'Unread',
  more_one: '{{count}} more notification',
  more_other: '{{count}} more notifications',
  type: {
    file: {
      ready: '“{{name}}” is ready',
      failed: '“{{name}}” could not be processed',
      approved: '“{{name}}” was approved',
      rejected: '“{{name}}” was rejected',
    },
  },
};
