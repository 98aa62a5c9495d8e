/** Dragging items of the list onto folders; "Move to…" does the same without a pointer. */
import { type DragEvent, useState } from 'react';

const TYPE = 'application/x-metastore-items';

/** Attaches ids to a drag. */
export function startItemDrag(event: DragEvent, ids: string[]): void {
  event.dataTransfer.setData(TYPE, JSON.stringify(ids));
  event.dataTransfer.effectAllowed = 'move';
}

/** Makes an element a drop target for items; spread `props` on it. */
export function useDropTarget(enabled: boolean, onItems: (ids: string[]) => void) {
  const [over, setOver] = useState(false);
  const carries = (event: DragEvent) => enabled && event.dataTransfer.types.includes(TYPE);
  const props = {
    onDragOver: (event: DragEvent) => {
      if (!carries(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'move';
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event: DragEvent) => {
      setOver(false);
      if (!carries(event)) return;
      event.preventDefault();
      onItems(JSON.parse(event.dataTransfer.getData(TYPE)) as string[]);
    },
  };
  return { over, props };
}
