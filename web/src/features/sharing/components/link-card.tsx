import { ActionIcon, Badge, Button, Menu, TextInput } from '@mantine/core';
import {
  IconCopy,
  IconDots,
  IconLinkOff,
  IconPencil,
  IconQrcode,
  IconRefresh,
  IconUsers,
} from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ShareLink } from '@/api/types';
import { FileGlyph } from '@/components/file-glyph';
import { formatAgo, formatMoment } from '@/lib/format';
import { stateOf } from '../link-state';
import { useLinkActions } from '../use-link-actions';
import { Accesses } from './accesses';
import { Confirm } from './confirm';
import { LinkForm } from './link-form';
import classes from './links.module.css';
import { QrCode } from './qr-code';

type Panel = 'edit' | 'qr' | 'accesses' | 'rotate' | 'revoke';

const COLOURS = { active: 'pine', revoked: 'red', expired: 'gray', usedUp: 'gray', inactive: 'gray' };

/** A link: its address, its state and its actions. */
export function LinkCard({ link, named }: { link: ShareLink; named: boolean }) {
  const { t } = useTranslation();
  const [panel, setPanel] = useState<Panel | null>(null);
  const actions = useLinkActions();
  const state = stateOf(link);
  const revoked = state === 'revoked';
  return (
    <li className={classes.card} data-testid="share-link" data-state={state} data-token={link.token}>
      <div className={classes.head}>
        <div className={classes.about}>
          {named && (
            <h2 className={classes.name}>
              <FileGlyph name={link.name ?? ''} folder={link.kind === 'folder'} size={22} />
              {link.name ?? t('sharing.inTrash')}
            </h2>
          )}
          {link.label && <p className={classes.label}>{link.label}</p>}
          <Badge variant="light" color={COLOURS[state]} tt="none">
            {t(`sharing.state.${state}`)}
          </Badge>
        </div>
        <Menu position="bottom-end" width={220}>
          <Menu.Target>
            <ActionIcon size={36} aria-label={t('sharing.actions')} data-testid="link-menu">
              <IconDots size={19} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {!revoked && (
              <Menu.Item
                leftSection={<IconPencil size={18} />}
                onClick={() => setPanel('edit')}
                data-testid="link-edit"
              >
                {t('sharing.edit')}
              </Menu.Item>
            )}
            <Menu.Item
              leftSection={<IconUsers size={18} />}
              onClick={() => setPanel('accesses')}
              data-testid="link-accesses"
            >
              {t('sharing.accesses.action')}
            </Menu.Item>
            {!revoked && (
              <>
                <Menu.Item
                  leftSection={<IconRefresh size={18} />}
                  onClick={() => setPanel('rotate')}
                  data-testid="link-rotate"
                >
                  {t('sharing.rotate.action')}
                </Menu.Item>
                <Menu.Item
                  color="var(--ms-bad)"
                  leftSection={<IconLinkOff size={18} />}
                  onClick={() => setPanel('revoke')}
                  data-testid="link-revoke"
                >
                  {t('sharing.revoke.action')}
                </Menu.Item>
              </>
            )}
          </Menu.Dropdown>
        </Menu>
      </div>
      <Facts link={link} />
      {!revoked && (
        <div className={classes.address}>
          <TextInput
            value={link.url}
            readOnly
            aria-label={t('sharing.address')}
            className={classes.url}
            onFocus={(event) => event.currentTarget.select()}
            data-testid="link-url"
          />
          <Button
            variant="light"
            leftSection={<IconCopy size={18} />}
            onClick={() => void actions.copy(link)}
            data-testid="link-copy"
          >
            {t('sharing.copy')}
          </Button>
          <ActionIcon
            size={36}
            onClick={() => setPanel(panel === 'qr' ? null : 'qr')}
            aria-label={t('sharing.qr.show')}
            aria-expanded={panel === 'qr'}
            data-testid="link-qr"
          >
            <IconQrcode size={20} />
          </ActionIcon>
        </div>
      )}
      {panel && <OpenPanel link={link} panel={panel} onClose={() => setPanel(null)} />}
    </li>
  );
}

/** What was chosen in the menu of a link. */
function OpenPanel({ link, panel, onClose }: { link: ShareLink; panel: Panel; onClose: () => void }) {
  const { t } = useTranslation();
  const actions = useLinkActions();
  switch (panel) {
    case 'qr':
      return <QrCode text={link.url} />;
    case 'accesses':
      return <Accesses linkId={link.id} onClose={onClose} />;
    case 'edit':
      return (
        <LinkForm
          link={link}
          title={t('sharing.form.edit')}
          submitLabel={t('common.save')}
          onSubmit={async (values) => {
            await actions.change(link, values);
            onClose();
          }}
          onCancel={onClose}
        />
      );
    case 'rotate':
    case 'revoke':
      return (
        <Confirm
          title={t(`sharing.${panel}.title`)}
          text={t(`sharing.${panel}.text`)}
          submitLabel={t(`sharing.${panel}.submit`)}
          danger={panel === 'revoke'}
          onConfirm={async () => {
            await actions[panel](link);
            onClose();
          }}
          onClose={onClose}
        />
      );
  }
}

/** The terms of a link, and how often it was opened. */
function Facts({ link }: { link: ShareLink }) {
  const { t, i18n } = useTranslation();
  const { accessCount: count, maxAccessCount: max } = link;
  const facts = [
    t(`sharing.permission.${link.permission}`),
    link.hasPassword && t('sharing.fact.password'),
    link.expiresAt && t('sharing.fact.expires', { when: formatMoment(link.expiresAt, i18n.language) }),
    max === null ? t('sharing.fact.opened', { count }) : t('sharing.fact.openedOf', { count, max }),
    link.lastAccessedAt && t('sharing.fact.last', { when: formatAgo(link.lastAccessedAt, i18n.language) }),
  ];
  const [first = '', ...rest] = facts.filter((fact) => typeof fact === 'string' && fact !== '');
  return (
    <p className={classes.facts} data-testid="link-facts">
      {[`${t('sharing.permission.label')} ${first}`, ...rest].join(' · ')}
    </p>
  );
}
