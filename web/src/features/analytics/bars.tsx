import { useTranslation } from 'react-i18next';
import classes from './analytics.module.css';

interface Props {
  label: string;
  /** A value per day. */
  values: { day: string; value: number }[];
  format: (value: number) => string;
}

/** A bar chart; the table below the charts has the same numbers. */
export function Bars({ label, values, format }: Props) {
  const { i18n } = useTranslation();
  const most = Math.max(1, ...values.map(({ value }) => value));
  const date = new Intl.DateTimeFormat(i18n.language, { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const on = (day: string | undefined) => (day ? date.format(new Date(day)) : '');
  return (
    <figure className={classes.chart}>
      <figcaption>
        <span>{label}</span>
        <strong className="tabular">{format(values.reduce((sum, { value }) => sum + value, 0))}</strong>
      </figcaption>
      <div className={classes.bars} aria-hidden="true">
        {values.map(({ day, value }) => (
          <span
            key={day}
            title={`${on(day)}: ${format(value)}`}
            style={{ height: `${Math.max(value ? 4 : 1, (value / most) * 100)}%` }}
            data-some={value > 0 || undefined}
          />
        ))}
      </div>
      <div className={classes.ends} aria-hidden="true">
        <span>{on(values[0]?.day)}</span>
        <span>{on(values.at(-1)?.day)}</span>
      </div>
    </figure>
  );
}
