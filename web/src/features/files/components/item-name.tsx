import { piecesOf } from '../model/highlight';
import classes from './item-list.module.css';

/** An item's name, with search matches highlighted. */
export function ItemName({ item }: { item: { name: string; highlight?: string } }) {
  if (!item.highlight) return item.name;
  return piecesOf(item.highlight).map(({ text, marked, at }) =>
    marked ? (
      <mark key={at} className={classes.mark}>
        {text}
      </mark>
    ) : (
      text
    ),
  );
}
