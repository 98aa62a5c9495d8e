import { UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { FolderItem } from '@/api/types';
import classes from './shared.module.css';

interface Props {
  root: FolderItem;
  crumbs: { id: string; name: string }[];
  onOpen: (id: string | null) => void;
}

/** The path from the shared folder to the open one; each folder above can be opened. */
export function Trail({ root, crumbs, onOpen }: Props) {
  const { t } = useTranslation();
  const steps = [root, ...crumbs.filter(({ id }) => id !== root.id)];
  return (
    <nav aria-label={t('files.breadcrumb')} className={classes.trailBox} data-testid="shared-trail">
      <ol className={classes.trail}>
        {steps.map(({ id, name }, index) => (
          <li key={id} className={classes.step}>
            {index > 0 && <IconChevronRight size={17} className={classes.separator} aria-hidden="true" />}
            {index === steps.length - 1 ? (
              <span className={classes.crumb} data-current aria-current="page" title={name}>
                {name}
              </span>
            ) : (
              <UnstyledButton
                className={classes.crumb}
                onClick={() => onOpen(id === root.id ? null : id)}
                title={name}
              >
                {name}
              </UnstyledButton>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
