import { Avatar, Menu, Text, UnstyledButton } from '@mantine/core';
import { IconLogout, IconSettings } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { User } from '@/api/types';

interface Props {
  user: User;
  /** Additional menu items. */
  children?: ReactNode;
  onSettings: () => void;
  onSignOut: () => void;
}

/** The button with the user's initials, and its menu. */
export function UserMenu({ user, children, onSettings, onSignOut }: Props) {
  const { t } = useTranslation();
  const name = user.displayName || user.username;
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton
          aria-label={t('auth.user.menu', { name })}
          data-testid="user-menu"
          style={{ borderRadius: 99 }}
        >
          <Avatar name={name} color="pine" variant="filled" size={36} alt="" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text span fw={600} c="var(--mantine-color-text)" display="block" truncate>
            {name}
          </Text>
          <Text span size="sm" truncate display="block">
            {user.email}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<IconSettings size={18} />} onClick={onSettings} data-testid="settings">
          {t('auth.user.settings')}
        </Menu.Item>
        {children}
        <Menu.Item leftSection={<IconLogout size={18} />} onClick={onSignOut} data-testid="logout">
          {t('auth.user.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
