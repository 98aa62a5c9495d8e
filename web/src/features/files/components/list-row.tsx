import { ActionIcon, Checkbox } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { FileGlyph } from '@/components/file-glyph';
import { formatBytes, formatDate, formatMoment } from '@/lib/format';
import classes from './item-list.module.css';
import { ItemName } from './item-name';
import { ProcessingLine } from './processing-badge';
import { StatusBadge } from './status-badge';
import { type ItemProps, useItemRow } from './use-item-row';

/** An item as a row of the list. */
export const ListRow = memo(function ListRow(props: ItemProps) {
  const { item, chosen, events, place } = props;
  const { t, i18n } = useTranslation();
  const folder = item.kind === 'folder';
  return (
    <div className={classes.row} {...useItemRow(props, 1)}>
      <ItemBox item={item} chosen={chosen} events={events} />
      <div role="gridcell" className={classes.nameCell}>
        <FileGlyph name={item.name} folder={folder} mimeType={folder ? '' : item.mimeType} size={26} />
        <span className={classes.names}>
          <span className={classes.name} title={item.name}>
            <ItemName item={item} />
          </span>
          {place && (
            <span className={classes.place} title={item.path}>
              {[t('files.drive'), ...foldersOf(item.path)].join(' › ')}
            </span>
          )}
          <span className={classes.small} hidden={place}>
            {item.kind === 'file' && item.status === 'PROCESSING' ? (
              <ProcessingLine file={item} />
            ) : (
              <>
                {folder ? t('files.kind.folder') : formatBytes(item.size, i18n.language)} ·{' '}
                {formatDate(item.updatedAt, i18n.language)}
              </>
            )}
          </span>
        </span>
        <span data-in="row" className={classes.badge}>
          <StatusBadge item={item} />
        </span>
      </div>
      <div role="gridcell" className={`${classes.sizeCell} tabular`}>
        {folder ? '—' : formatBytes(item.size, i18n.language)}
      </div>
      <div
        role="gridcell"
        className={`${classes.dateCell} tabular`}
        title={formatMoment(item.updatedAt, i18n.language)}
      >
        {formatDate(item.updatedAt, i18n.language)}
      </div>
      <div role="gridcell" className={classes.moreCell}>
        <MoreButton item={item} events={events} />
      </div>
    </div>
  );
});

/** Returns the names of the folders above `path`. */
function foldersOf(path: string): string[] {
  return path.split('/').slice(1, -1);
}

/** The checkbox that selects an item by touch. */
export function ItemBox({ item, chosen, events }: Pick<ItemProps, 'item' | 'chosen' | 'events'>) {
  const { t } = useTranslation();
  return (
    <div
      role="gridcell"
      className={classes.boxCell}
      tabIndex={-1}
      onClick={(event) => event.stopPropagation()}
    >
      <Checkbox
        size="sm"
        checked={chosen}
        onChange={() => events.toggle(item)}
        tabIndex={-1}
        aria-label={t('files.action.select', { name: item.name })}
        classNames={{ body: classes.boxBody }}
      />
    </div>
  );
}

/** The button that opens an item's menu. */
export function MoreButton({ item, events }: Pick<ItemProps, 'item' | 'events'>) {
  const { t } = useTranslation();
  return (
    <ActionIcon
      size={34}
      onClick={(event) => events.more(event, item)}
      onDoubleClick={(event) => event.stopPropagation()}
      aria-label={t('files.action.more', { name: item.name })}
      aria-haspopup="menu"
      data-testid="item-more"
    >
      <IconDots size={19} />
    </ActionIcon>
  );
}
