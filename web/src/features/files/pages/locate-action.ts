import { IconFolderSearch } from '@tabler/icons-react';
import type { Item } from '@/api/types';
import type { ItemAction } from '../components/item-action';

/** The action that opens the folder of a search result. */
export function locateAction(
  items: Item[],
  label: string,
  onOpenFolder: (id: string | null) => void,
): ItemAction[] {
  const [item] = items;
  if (!item || items.length !== 1) return [];
  return [{ id: 'locate', label, icon: IconFolderSearch, run: () => onOpenFolder(item.parentId) }];
}
