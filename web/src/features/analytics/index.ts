/** Usage figures, for administrators. */
export { AnalyticsPage } from './analytics-page';
