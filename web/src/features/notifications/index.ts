/** Notifications: the bell, and what comes live. */
export { Bell } from './components/bell';
