import { UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import classes from './toolbar.module.css';
import { useDropTarget } from './use-item-drag';

interface Crumb {
  id: string;
  name: string;
}

interface Props {
  crumbs: Crumb[];
  onOpen: (id: string | null) => void;
  onDropItems: (ids: string[], folder: { id: string | null; name: string }) => void;
}

/** The path of the listed folder; each ancestor can be opened, and dropped on. */
export function Breadcrumb({ crumbs, onOpen, onDropItems }: Props) {
  const { t } = useTranslation();
  const steps = [{ id: null, name: t('files.drive') }, ...crumbs];
  return (
    <nav aria-label={t('files.breadcrumb')} className={classes.crumbs} data-testid="breadcrumb">
      <ol className={classes.trail}>
        {steps.map((step, index) => (
          <li key={step.id ?? 'root'} className={classes.step}>
            {index > 0 && <IconChevronRight size={17} className={classes.separator} aria-hidden="true" />}
            <Step {...step} current={index === steps.length - 1} onOpen={onOpen} onDropItems={onDropItems} />
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface StepProps extends Omit<Props, 'crumbs'> {
  id: string | null;
  name: string;
  current: boolean;
}

function Step({ id, name, current, onOpen, onDropItems }: StepProps) {
  const { over, props } = useDropTarget(!current, (ids) => onDropItems(ids, { id, name }));
  if (current) {
    return (
      <span className={classes.crumb} data-current aria-current="page" title={name}>
        {name}
      </span>
    );
  }
  return (
    <UnstyledButton
      className={classes.crumb}
      onClick={() => onOpen(id)}
      title={name}
      data-over={over || undefined}
      {...props}
    >
      {name}
    </UnstyledButton>
  );
}
