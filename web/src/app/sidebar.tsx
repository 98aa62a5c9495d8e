import { Drawer } from '@mantine/core';
import { IconCloud, IconLink, IconSettings, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { User } from '@/api/types';
import { Logo } from '@/components/logo';
import { StorageMeter } from '@/features/account';
import { NewMenu } from './new-menu';
import classes from './shell.module.css';

interface Props {
  user: User;
  drawer: boolean;
  onCloseDrawer: () => void;
  onNewFolder: () => void;
}

/** The navigation and the storage meter; a drawer on narrow screens. */
export function Sidebar({ user, drawer, onCloseDrawer, onNewFolder }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <aside className={`${classes.side} ${classes.wideOnly}`}>
        <Link to="/drive" className={classes.home} aria-label={t('common.appName')}>
          <Logo />
        </Link>
        <NewMenu onNewFolder={onNewFolder} wide />
        <Places />
        <StorageMeter user={user} />
      </aside>
      <Drawer
        opened={drawer}
        onClose={onCloseDrawer}
        title={<Logo />}
        size={300}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        <Places onGo={onCloseDrawer} />
        <div style={{ marginTop: 24 }}>
          <StorageMeter user={user} testId="drawer-storage" />
        </div>
      </Drawer>
    </>
  );
}

function Places({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation();
  const link = { className: classes.link, ...(onGo ? { onClick: onGo } : {}) };
  return (
    <nav className={classes.nav} aria-label={t('common.menu')}>
      <Link to="/drive" {...link}>
        <IconCloud size={21} stroke={1.7} aria-hidden="true" />
        {t('files.drive')}
      </Link>
      <Link to="/shared-links" {...link} data-testid="nav-shared-links">
        <IconLink size={21} stroke={1.7} aria-hidden="true" />
        {t('sharing.links')}
      </Link>
      <Link to="/trash" {...link} data-testid="nav-trash">
        <IconTrash size={21} stroke={1.7} aria-hidden="true" />
        {t('files.trash')}
      </Link>
      <Link to="/settings" {...link} data-testid="nav-settings">
        <IconSettings size={21} stroke={1.7} aria-hidden="true" />
        {t('account.title')}
      </Link>
    </nav>
  );
}
