import { ActionIcon, Text, Tooltip } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Item } from '@/api/types';
import type { ActionsFor } from './item-action';
import classes from './toolbar.module.css';

interface Props {
  items: Item[];
  actionsFor: ActionsFor;
  onClear: () => void;
}

/** Replaces the toolbar while items are selected: their count and actions. */
export function SelectionBar({ items, actionsFor, onClear }: Props) {
  const { t } = useTranslation();
  return (
    <div
      className={classes.selection}
      role="toolbar"
      aria-label={t('files.selected', { count: items.length })}
    >
      <Tooltip label={t('files.clearSelection')}>
        <ActionIcon
          size={34}
          onClick={onClear}
          aria-label={t('files.clearSelection')}
          data-testid="clear-selection"
        >
          <IconX size={19} />
        </ActionIcon>
      </Tooltip>
      <Text
        fw={600}
        size="sm"
        mr="xs"
        style={{ whiteSpace: 'nowrap' }}
        role="status"
        data-testid="selection-count"
      >
        {t('files.selected', { count: items.length })}
      </Text>
      {actionsFor(items).map(({ id, label, icon: Icon, run }) => (
        <Tooltip key={id} label={label}>
          <ActionIcon size={34} onClick={() => run(items)} aria-label={label} data-testid={`bar-${id}`}>
            <Icon size={19} stroke={1.8} />
          </ActionIcon>
        </Tooltip>
      ))}
    </div>
  );
}
