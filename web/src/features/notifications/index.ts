/** Notifications: the bell, and live toasts. */
export { Bell } from './components/bell';
