import { CloseButton, TextInput } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './search-box.module.css';

const PAUSE_MS = 250;

interface Props {
  /** The current search. */
  query: string;
  /** Called when the user pauses typing, and at once on Enter. */
  onSearch: (query: string) => void;
  /** Called when the arrow down is pressed, to move the focus to the results. */
  onDown?: () => void;
  autoFocus?: boolean;
  testId?: string;
}

/** The search box; `/` focuses it from anywhere, Escape clears it. */
export function SearchBox({ query, onSearch, onDown, autoFocus = false, testId = 'search' }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState(query);
  const input = useRef<HTMLInputElement>(null);
  const sent = useRef(query);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  // The address was changed by something other than typing here.
  useEffect(() => {
    if (query.trim() !== sent.current.trim()) setText(query);
    sent.current = query;
  }, [query]);
  useEffect(() => () => clearTimeout(timer.current), []);

  useHotkeys([['/', () => input.current?.focus(), { usePhysicalKeys: false }]]);

  const send = (wanted: string) => {
    clearTimeout(timer.current);
    if (wanted.trim() === sent.current.trim()) return;
    sent.current = wanted;
    onSearch(wanted.trim());
  };
  const type = (wanted: string) => {
    setText(wanted);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => send(wanted), PAUSE_MS);
  };
  const empty = () => {
    setText('');
    send('');
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') send(text);
    else if (event.key === 'Escape' && text) empty();
    else if (event.key === 'ArrowDown' && onDown) onDown();
    else return;
    event.preventDefault();
  };
  return (
    <div role="search" className={classes.box}>
      <TextInput
        ref={input}
        type="search"
        value={text}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        maxLength={200}
        aria-label={t('files.search.label')}
        aria-keyshortcuts="/"
        placeholder={t('files.search.placeholder')}
        leftSection={<IconSearch size={18} stroke={1.8} aria-hidden="true" />}
        rightSection={
          text ? <CloseButton size="sm" aria-label={t('files.search.clear')} onClick={empty} /> : undefined
        }
        data-autofocus={autoFocus || undefined}
        data-testid={testId}
        classNames={{ input: classes.input }}
      />
    </div>
  );
}
