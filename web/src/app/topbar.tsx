import { ActionIcon } from '@mantine/core';
import { IconMenu2, IconSearch } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { User } from '@/api/types';
import { LogoMark } from '@/components/logo';
import { UserMenu, useSignOut } from '@/features/auth';
import { SearchBox } from '@/features/files';
import { Bell } from '@/features/notifications';
import { uploads } from '@/features/uploads';
import { AdminItems } from './admin-items';
import { NewMenu } from './new-menu';
import { useSearchAddress } from './search';
import classes from './shell.module.css';

interface Props {
  user: User;
  onMenu: () => void;
  onNewFolder: () => void;
}

/** The bar above the page: the bell and the account; on narrow screens the menu and “New” too. */
export function Topbar({ user, onMenu, onNewFolder }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const signOut = useSignOut();
  const { query, type, search } = useSearchAddress();
  const leave = async () => {
    uploads.leave();
    await signOut.mutateAsync().catch(() => undefined);
    await navigate({ to: '/sign-in', replace: true });
    queries.clear();
  };
  return (
    <header className={classes.top}>
      <div className={classes.narrowOnly}>
        <ActionIcon size={40} onClick={onMenu} aria-label={t('common.menu')} data-testid="menu">
          <IconMenu2 size={22} />
        </ActionIcon>
        <LogoMark size={28} />
      </div>
      <div className={`${classes.search} ${classes.wideOnly}`}>
        <SearchBox query={query} onSearch={(text) => search(text, type)} onDown={focusResults} />
      </div>
      <div className={classes.topEnd}>
        <div className={classes.narrowOnly}>
          <ActionIcon
            size={40}
            component={Link}
            to="/search"
            aria-label={t('files.search.label')}
            data-testid="open-search"
          >
            <IconSearch size={21} />
          </ActionIcon>
          <NewMenu onNewFolder={onNewFolder} />
        </div>
        <Bell />
        <UserMenu
          user={user}
          onSettings={() => void navigate({ to: '/settings' })}
          onSignOut={() => void leave()}
        >
          {user.role === 'ADMIN' && <AdminItems />}
        </UserMenu>
      </div>
    </header>
  );
}

/** Moves the focus from the search box to the results, if they are shown. */
function focusResults() {
  document.querySelector<HTMLElement>('#content [data-item][tabindex="0"]')?.focus();
}
