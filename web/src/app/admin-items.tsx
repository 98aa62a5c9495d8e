import { Menu } from '@mantine/core';
import { IconChartBar, IconMailOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

/** The user menu's items for administrators. */
export function AdminItems() {
  const { t } = useTranslation();
  return (
    <>
      <Menu.Divider />
      <Menu.Label>{t('admin.label')}</Menu.Label>
      <Menu.Item
        component={Link}
        to="/admin/events"
        leftSection={<IconMailOff size={18} />}
        data-testid="admin-events"
      >
        {t('admin.dead.title')}
      </Menu.Item>
      <Menu.Item
        component={Link}
        to="/admin/analytics"
        leftSection={<IconChartBar size={18} />}
        data-testid="admin-analytics"
      >
        {t('admin.analytics.title')}
      </Menu.Item>
      <Menu.Divider />
    </>
  );
}
