import type { Icon } from '@tabler/icons-react';
import type { Item } from '@/api/types';

/** Something that can be done to chosen items, as menus, bars and keys show it. */
export interface ItemAction {
  id:
    | 'open'
    | 'download'
    | 'rename'
    | 'move'
    | 'delete'
    | 'restore'
    | 'purge'
    | 'resume'
    | 'cancel'
    | 'retry'
    | 'locate';
  label: string;
  icon: Icon;
  danger?: boolean;
  /** Shown in the bar above the list too. */
  run: (items: Item[]) => void;
}

/** The actions that fit the given items. */
export type ActionsFor = (items: Item[]) => ItemAction[];
