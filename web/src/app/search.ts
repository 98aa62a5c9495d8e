/** The search as it stands in the address. */
import { useLocation, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { SEARCH_TYPES, type SearchType } from '@/features/files';

/** What is searched for: words, and a type if one was chosen. */
export interface Search {
  q?: string;
  type?: SearchType;
}

/** Reads a search out of an address, passing over what is none. */
export function searchOf({ q, type }: Record<string, unknown>): Search {
  const known = SEARCH_TYPES.find((one) => one === type);
  // The router takes digits for a number.
  const text = typeof q === 'string' || typeof q === 'number' ? String(q).slice(0, 200) : '';
  return { ...(text ? { q: text } : {}), ...(known ? { type: known } : {}) };
}

/** The present search and how to change it; while it is typed, it remains one step of the history. */
export function useSearchAddress() {
  const { q = '', type = null } = useSearch({
    strict: false,
    select: (found) => searchOf(found as Record<string, unknown>),
  });
  const here = useLocation({ select: ({ pathname }) => pathname === '/search' });
  const navigate = useNavigate();
  const search = useCallback(
    (query: string, wanted: SearchType | null) => {
      const next = { ...(query ? { q: query } : {}), ...(wanted ? { type: wanted } : {}) };
      void navigate({ to: '/search', search: next, replace: here });
    },
    [navigate, here],
  );
  return { query: q, type, search };
}
