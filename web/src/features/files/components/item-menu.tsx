import { Menu } from '@mantine/core';
import type { Item } from '@/api/types';
import type { ActionsFor } from './item-action';

/** Where a menu was opened, and for which items. */
export interface MenuPlace {
  x: number;
  y: number;
  items: Item[];
}

interface Props {
  place: MenuPlace | null;
  actionsFor: ActionsFor;
  onClose: () => void;
}

/** The menu of one or more items, at the pointer or below its button. */
export function ItemMenu({ place, actionsFor, onClose }: Props) {
  const actions = place ? actionsFor(place.items) : [];
  return (
    <Menu
      opened={place !== null}
      onClose={onClose}
      position="bottom-start"
      offset={2}
      width={220}
      transitionProps={{ duration: 0 }}
      returnFocus={false}
      withinPortal
    >
      <Menu.Target>
        <span
          aria-hidden="true"
          style={{
            position: 'fixed',
            left: place?.x ?? 0,
            top: place?.y ?? 0,
            width: 1,
            height: 1,
            pointerEvents: 'none',
          }}
        />
      </Menu.Target>
      <Menu.Dropdown data-testid="item-menu">
        {actions.map(({ id, label, icon: Icon, danger, run }) => (
          <Menu.Item
            key={id}
            leftSection={<Icon size={18} stroke={1.7} />}
            {...(danger ? { color: 'var(--ms-bad)' } : {})}
            onClick={() => place && run(place.items)}
            data-testid={`action-${id}`}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
