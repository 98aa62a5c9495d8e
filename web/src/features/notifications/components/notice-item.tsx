import { UnstyledButton } from '@mantine/core';
import {
  IconBell,
  IconCircleCheck,
  IconCircleX,
  IconExclamationCircle,
  IconFileBroken,
  IconFileCheck,
  IconLink,
  IconLockExclamation,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Notice } from '@/api/types';
import { formatAgo, formatMoment } from '@/lib/format';
import { useNoticeText } from '../use-notice-text';
import classes from './bell.module.css';

const ICONS: Record<string, typeof IconBell> = {
  'file.ready': IconCircleCheck,
  'file.approved': IconCircleCheck,
  'file.failed': IconExclamationCircle,
  'file.rejected': IconCircleX,
  'file.damaged': IconFileBroken,
  'file.recovered': IconFileCheck,
  'share.accessed': IconLink,
  'share.guessed': IconLockExclamation,
};

interface Props {
  notice: Notice;
  onRead: (notice: Notice) => void;
}

/** One notification; a click marks it as read. */
export function NoticeItem({ notice, onRead }: Props) {
  const { t, i18n } = useTranslation();
  const text = useNoticeText();
  const Icon = ICONS[notice.type] ?? IconBell;
  const unread = !notice.readAt;
  return (
    <li>
      <UnstyledButton
        className={classes.item}
        data-unread={unread || undefined}
        data-type={notice.type}
        data-testid="notification-item"
        onClick={() => onRead(notice)}
      >
        <Icon size={22} stroke={1.7} className={classes.icon} data-type={notice.type} aria-hidden="true" />
        <span className={classes.words}>
          <span className={classes.text}>{text(notice)}</span>
          <time
            dateTime={notice.createdAt}
            title={formatMoment(notice.createdAt, i18n.language)}
            className={classes.time}
          >
            {formatAgo(notice.createdAt, i18n.language)}
          </time>
        </span>
        {unread && <span className={classes.dot} role="img" aria-label={t('notifications.unread')} />}
      </UnstyledButton>
    </li>
  );
}
