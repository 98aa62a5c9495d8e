import { Button, Modal, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { LinkForm } from './components/link-form';
import { LinkList } from './components/link-list';
import classes from './components/links.module.css';
import { useLinkActions } from './use-link-actions';
import { useLinks } from './use-links';

/** A file or folder to share. */
export interface Shareable {
  id: string;
  name: string;
}

interface Props {
  /** What to share; the dialog is closed without it. */
  item: Shareable | null;
  onClose: () => void;
}

/** The links to a file or folder, with a form for new ones. */
export function ShareDialog({ item, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={item !== null}
      onClose={onClose}
      size={620}
      title={t('sharing.title', { name: item?.name ?? '' })}
      classNames={{ title: classes.dialogTitle }}
    >
      {item && <Links item={item} />}
    </Modal>
  );
}

function Links({ item }: { item: Shareable }) {
  const { t } = useTranslation();
  const links = useLinks(item.id);
  const actions = useLinkActions();
  const [adding, setAdding] = useState(false);
  const empty = links.items?.length === 0;
  return (
    <div className={classes.dialog} data-testid="share-dialog">
      <Text c="dimmed" size="sm">
        {t('sharing.intro')}
      </Text>
      {adding || empty ? (
        <LinkForm
          title={t('sharing.form.create')}
          submitLabel={t('sharing.form.submitNew')}
          onSubmit={async (values) => {
            await actions.create(item.id, values);
            setAdding(false);
          }}
          onCancel={empty ? undefined : () => setAdding(false)}
        />
      ) : (
        <Button
          variant="light"
          leftSection={<IconPlus size={18} />}
          onClick={() => setAdding(true)}
          disabled={!links.items}
          data-testid="share-add"
        >
          {t('sharing.form.create')}
        </Button>
      )}
      {!empty && <LinkList links={links} />}
    </div>
  );
}
