import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { FileGlyph } from '@/components/file-glyph';
import { formatBytes } from '@/lib/format';
import classes from './item-list.module.css';
import { ItemName } from './item-name';
import { ItemBox, MoreButton } from './list-row';
import { Preview } from './preview';
import { StatusBadge } from './status-badge';
import { type ItemProps, useItemRow } from './use-item-row';

/** An item of the grid. */
export const GridTile = memo(function GridTile(props: ItemProps) {
  const { item, chosen, events } = props;
  const { t, i18n } = useTranslation();
  const folder = item.kind === 'folder';
  const working = !folder && item.status === 'PROCESSING';
  return (
    <div className={classes.tile} {...useItemRow(props, 0)}>
      <div className={classes.tileTop}>
        <ItemBox item={item} chosen={chosen} events={events} />
        <div role="gridcell">
          <MoreButton item={item} events={events} />
        </div>
      </div>
      <div role="gridcell" className={classes.tileBody}>
        <span className={classes.face}>
          {folder ? <FileGlyph name={item.name} folder size={52} /> : <Preview item={item} />}
        </span>
        <span className={classes.tileName} title={item.name}>
          <ItemName item={item} />
        </span>
        <span className={classes.tileLine}>
          <StatusBadge item={item} />
          {!working && (
            <span className="tabular">
              {folder ? t('files.kind.folder') : formatBytes(item.size, i18n.language)}
            </span>
          )}
        </span>
      </div>
    </div>
  );
});
