/** Events that a consumer failed on too often, for admins. */
export { DeadEventsPage } from './dead-events-page';
