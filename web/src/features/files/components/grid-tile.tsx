import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { FileGlyph } from '@/components/file-glyph';
import { formatBytes } from '@/lib/format';
import classes from './item-list.module.css';
import { ItemBox, type ItemProps, MoreButton } from './list-row';
import { StatusBadge } from './status-badge';
import { useDropTarget } from './use-item-drag';

/** An item as a tile of the grid. */
export const GridTile = memo(function GridTile({ item, index, chosen, tabbable, events }: ItemProps) {
  const { t, i18n } = useTranslation();
  const folder = item.kind === 'folder';
  const { over, props } = useDropTarget(folder && events.draggable, (ids) => events.dropItems(ids, item));
  return (
    <div
      role="row"
      aria-selected={chosen}
      aria-rowindex={index + 1}
      tabIndex={tabbable ? 0 : -1}
      className={classes.tile}
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
      <div className={classes.tileTop}>
        <ItemBox item={item} chosen={chosen} events={events} />
        <div role="gridcell">
          <MoreButton item={item} events={events} />
        </div>
      </div>
      <div role="gridcell" className={classes.tileBody}>
        <FileGlyph name={item.name} folder={folder} mimeType={folder ? '' : item.mimeType} size={44} />
        <span className={classes.tileName} title={item.name}>
          {item.name}
        </span>
        <span className={classes.tileLine}>
          <StatusBadge item={item} />
          <span className="tabular">
            {folder ? t('files.kind.folder') : formatBytes(item.size, i18n.language)}
          </span>
        </span>
      </div>
    </div>
  );
});
