import { ActionIcon, Checkbox } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Item } from '@/api/types';
import { FileGlyph } from '@/components/file-glyph';
import { formatBytes, formatDate, formatMoment } from '@/lib/format';
import classes from './item-list.module.css';
import { StatusBadge } from './status-badge';
import { useDropTarget } from './use-item-drag';
import type { ItemEvents } from './use-item-events';

/** What a row or a tile is given. */
export interface ItemProps {
  item: Item;
  index: number;
  chosen: boolean;
  tabbable: boolean;
  events: ItemEvents;
}

/** An item as a row of the list. */
export const ListRow = memo(function ListRow({ item, index, chosen, tabbable, events }: ItemProps) {
  const { t, i18n } = useTranslation();
  const folder = item.kind === 'folder';
  const { over, props } = useDropTarget(folder && events.draggable, (ids) => events.dropItems(ids, item));
  return (
    <div
      role="row"
      aria-selected={chosen}
      aria-rowindex={index + 2}
      tabIndex={tabbable ? 0 : -1}
      className={classes.row}
      data-item
      data-id={item.id}
      data-name={item.name}
      data-kind={item.kind}
      data-status={item.kind === 'file' ? item.status : undefined}
      data-over={over || undefined}
      data-testid="file-row"
      draggable={events.draggable}
      onPointerDown={events.pointerDown}
      onClick={(event) => events.click(event, item)}
      onDoubleClick={() => events.doubleClick(item)}
      onContextMenu={(event) => events.contextMenu(event, item)}
      onFocus={() => events.focus(item)}
      onDragStart={(event) => events.dragStart(event, item)}
      {...props}
    >
      <ItemBox item={item} chosen={chosen} events={events} />
      <div role="gridcell" className={classes.nameCell}>
        <FileGlyph name={item.name} folder={folder} mimeType={folder ? '' : item.mimeType} size={26} />
        <span className={classes.names}>
          <span className={classes.name} title={item.name}>
            {item.name}
          </span>
          <span className={classes.small}>
            {folder ? t('files.kind.folder') : formatBytes(item.size, i18n.language)} ·{' '}
            {formatDate(item.updatedAt, i18n.language)}
          </span>
        </span>
        <StatusBadge item={item} />
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

/** The box by which fingers choose an item. */
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

/** Opens an item's menu where there is no right click. */
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
