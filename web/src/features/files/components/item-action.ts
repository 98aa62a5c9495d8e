import type { Icon } from '@tabler/icons-react';
import type { Item } from '@/api/types';

/** An action on the selected items, for menus, the toolbar and keys. */
export interface ItemAction {
  id:
    | 'open'
    | 'download'
    | 'download-archive'
    | 'rename'
    | 'move'
    | 'delete'
    | 'restore'
    | 'purge'
    | 'resume'
    | 'cancel'
    | 'retry'
    | 'locate'
    | 'share';
  label: string;
  icon: Icon;
  danger?: boolean;
  /** Also shown in the toolbar. */
  run: (items: Item[]) => void;
}

/** Returns the actions that apply to the given items. */
export type ActionsFor = (items: Item[]) => ItemAction[];
