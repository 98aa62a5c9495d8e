/** The search in the page's address. */
import { useLocation, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { SEARCH_TYPES, type SearchType } from '@/features/files';

/** A search: its words, and a type if one is chosen. */
export interface Search {
  q?: string;
  type?: SearchType;
}

/** Parses a search from an address, ignoring invalid values. */
export function searchOf({ q, type }: Record<string, unknown>): Search {
  const known = SEARCH_TYPES.find((one) => one === type);
  // The router parses digits as a number.
  const text = typeof q === 'string' || typeof q === 'number' ? String(q).slice(0, 200) : '';
  return { ...(text ? { q: text } : {}), ...(known ? { type: known } : {}) };
}

/** Returns the current search and a function to change it; typing stays a single history entry. */
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
