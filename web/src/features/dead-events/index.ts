/** Dead letters, for administrators. */
export { DeadEventsPage } from './dead-events-page';
