import { ActionIcon, Drawer, Indicator, Popover } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { IconBell } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { noticesQuery } from '../queries';
import { useLiveNotices } from '../use-live-notices';
import classes from './bell.module.css';
import { NoticeList } from './notice-list';

/** The bell with the number of unread notifications, which opens their list. */
export function Bell() {
  const { t } = useTranslation();
  const [opened, { toggle, close }] = useDisclosure(false);
  const narrow = useMediaQuery('(max-width: 40em)') ?? false;
  const { data } = useInfiniteQuery(noticesQuery);
  const unread = data?.pages[0]?.unreadCount ?? 0;
  useLiveNotices();
  const button = (
    <ActionIcon
      size={40}
      onClick={toggle}
      aria-label={unread ? t('notifications.openUnread', { count: unread }) : t('notifications.open')}
      aria-expanded={opened}
      aria-haspopup="dialog"
      data-testid="bell"
    >
      <Indicator
        disabled={unread === 0}
        label={<span data-testid="bell-count">{unread > 99 ? '99+' : unread}</span>}
        size={17}
        offset={3}
        color="pine"
        classNames={{ indicator: classes.count }}
      >
        <IconBell size={22} stroke={1.7} />
      </Indicator>
    </ActionIcon>
  );
  if (narrow) {
    return (
      <>
        {button}
        <Drawer
          opened={opened}
          onClose={close}
          position="bottom"
          size="80dvh"
          radius="lg"
          padding={0}
          title={t('notifications.title')}
          classNames={{ header: classes.drawerHead }}
        >
          <NoticeList titled={false} />
        </Drawer>
      </>
    );
  }
  return (
    <Popover
      opened={opened}
      onChange={(open) => !open && close()}
      onDismiss={close}
      position="bottom-end"
      width={400}
      shadow="lg"
      radius="lg"
      trapFocus
      returnFocus
    >
      <Popover.Target>{button}</Popover.Target>
      <Popover.Dropdown p={0} className={classes.dropdown} aria-label={t('notifications.title')}>
        <NoticeList />
      </Popover.Dropdown>
    </Popover>
  );
}
