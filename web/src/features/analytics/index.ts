/** How much the product is used, for admins. */
export { AnalyticsPage } from './analytics-page';
