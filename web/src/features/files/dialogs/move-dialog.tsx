import { Button, Group, Loader, Modal, Text, Tree, type TreeNodeData, useTree } from '@mantine/core';
import { IconChevronRight, IconFolderFilled } from '@tabler/icons-react';
import { type FocusEvent, useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Item } from '@/api/types';
import { useErrorText } from '@/components/error-text';
import { subfolders } from '../queries';
import classes from './move-dialog.module.css';

const ROOT = 'root';

interface Props {
  items: Item[] | null;
  onMove: (items: Item[], parentId: string | null, folderName: string) => void;
  onClose: () => void;
}

/** Asks for the target folder: a tree whose selection follows the focus; branches load when opened. */
export function MoveDialog({ items, onMove, onClose }: Props) {
  const { t } = useTranslation();
  const count = items?.length ?? 0;
  return (
    <Modal
      opened={items !== null}
      onClose={onClose}
      title={t('files.move.title', { count, name: items?.[0]?.name ?? '' })}
    >
      {items && <FolderChooser items={items} onMove={onMove} onClose={onClose} />}
    </Modal>
  );
}

function FolderChooser({ items, onMove, onClose }: Props & { items: Item[] }) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const { data, names, failure, load } = useFolderTree(items);
  const tree = useTree({ initialExpandedState: { [ROOT]: true }, onLoadChildren: load, multiple: false });
  const target = tree.selectedState[0] ?? null;
  const alreadyThere = items.every(({ parentId }) => (parentId ?? ROOT) === target);
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Runs after the dialog has focused its close button.
    const timer = setTimeout(() => frame.current?.querySelector<HTMLElement>('[role=treeitem]')?.focus(), 50);
    return () => clearTimeout(timer);
  }, []);
  const chooseFocused = (event: FocusEvent<HTMLElement>) => {
    const { value } = event.target.closest<HTMLElement>('[role=treeitem]')?.dataset ?? {};
    if (value) tree.select(value);
  };
  const submit = () => {
    if (!target) return;
    onClose();
    onMove(items, target === ROOT ? null : target, names.get(target) ?? '');
  };
  return (
    <>
      <Text size="sm" c="dimmed" mb="xs">
        {t('files.move.into')}
      </Text>
      <div className={classes.frame} ref={frame}>
        {failure !== null && (
          <Text role="alert" size="sm" c="var(--ms-bad)" p="xs">
            {t('files.move.loadFailed')} {errorText(failure)}{' '}
            <Button variant="subtle" size="compact-sm" onClick={() => void load(ROOT)}>
              {t('common.retry')}
            </Button>
          </Text>
        )}
        <Tree
          data={data}
          tree={tree}
          selectOnClick
          onFocus={chooseFocused}
          aria-label={t('files.move.into')}
          data-testid="folder-tree"
          renderNode={({ node, expanded, hasChildren, isLoading, selected, elementProps }) => (
            <div
              {...elementProps}
              className={`${elementProps.className} ${classes.node}`}
              data-chosen={selected || undefined}
              data-name={node.label}
            >
              <span className={classes.arrow} data-expanded={expanded || undefined}>
                {isLoading ? <Loader size={12} /> : hasChildren && <IconChevronRight size={16} />}
              </span>
              <IconFolderFilled size={20} className={classes.icon} aria-hidden="true" />
              <span className={classes.label}>{node.label}</span>
            </div>
          )}
        />
      </div>
      <Group justify="flex-end" mt="lg">
        {alreadyThere && (
          <Text size="sm" c="dimmed" mr="auto">
            {t('files.move.same')}
          </Text>
        )}
        <Button variant="default" onClick={onClose}>
          {t('common.cancel')}
        </Button>
        <Button onClick={submit} disabled={!target || alreadyThere} data-testid="move-submit">
          {t('files.move.submit')}
        </Button>
      </Group>
    </>
  );
}

/** Returns the loaded folders, without those being moved. */
function useFolderTree(moving: Item[]) {
  const { t } = useTranslation();
  const [children, setChildren] = useState<ReadonlyMap<string, Item[]>>(new Map());
  const [failure, setFailure] = useState<unknown>(null);
  const load = useCallback(async (value: string) => {
    try {
      const found = await subfolders(value === ROOT ? null : value);
      setChildren((before) => new Map(before).set(value, found));
      setFailure(null);
    } catch (error) {
      setFailure(error);
      throw error;
    }
  }, []);
  useEffect(() => {
    load(ROOT).catch(() => undefined);
  }, [load]);
  const excluded = new Set(moving.map(({ id }) => id));
  const names = new Map([[ROOT, t('files.drive')]]);
  const branch = (value: string): TreeNodeData[] =>
    (children.get(value) ?? [])
      .filter(({ id }) => !excluded.has(id))
      .map(({ id, name }) => {
        names.set(id, name);
        const read = children.get(id);
        return read
          ? { value: id, label: name, children: branch(id) }
          : { value: id, label: name, hasChildren: true };
      });
  const data: TreeNodeData[] = [{ value: ROOT, label: t('files.drive'), children: branch(ROOT) }];
  return { data, names, failure, load };
}
