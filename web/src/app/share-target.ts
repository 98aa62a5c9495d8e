/** The file or folder whose share links are shown. */
import { create } from 'zustand';
import type { Shareable } from '@/features/sharing';

/** What is being shared, if anything. */
export const useShareTarget = create<{ item: Shareable | null }>(() => ({ item: null }));

/** Opens the dialog for a file or folder, or closes it. */
export function setShareTarget(item: Shareable | null): void {
  useShareTarget.setState({ item });
}
