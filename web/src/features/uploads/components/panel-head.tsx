import { ActionIcon, Button, Progress, Text, Tooltip } from '@mantine/core';
import {
  IconChevronDown,
  IconChevronUp,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useConnection } from '@/lib/connection';
import { formatDuration, formatPercent, formatSpeed } from '@/lib/format';
import type { Totals } from '../engine/totals';
import { uploads, useTotals } from '../uploads';
import classes from './upload-panel.module.css';

interface Props {
  collapsed: boolean;
  onToggle: () => void;
}

/** A summary of all uploads: state, progress, speed and time left. */
export function PanelHead({ collapsed, onToggle }: Props) {
  const { t } = useTranslation();
  const totals = useTotals();
  const toggleLabel = t(collapsed ? 'uploads.expand' : 'uploads.collapse');
  const busy = totals.active + totals.paused > 0;
  return (
    <div className={classes.head}>
      <div className={classes.headline}>
        <div className={classes.titles}>
          <Headline totals={totals} />
        </div>
        {totals.active > 0 && (
          <HeadButton
            label={t('uploads.pauseAll')}
            onClick={() => uploads.pauseAll()}
            testId="upload-pause-all"
          >
            <IconPlayerPauseFilled size={17} />
          </HeadButton>
        )}
        {totals.active === 0 && totals.paused > 0 && (
          <HeadButton
            label={t('uploads.resumeAll')}
            onClick={() => uploads.resumeAll()}
            testId="upload-resume-all"
          >
            <IconPlayerPlayFilled size={17} />
          </HeadButton>
        )}
        {!busy && totals.done > 0 && (
          <Button
            variant="subtle"
            size="compact-sm"
            onClick={() => uploads.clearDone()}
            data-testid="upload-clear"
          >
            {t('uploads.clearDone')}
          </Button>
        )}
        <HeadButton label={toggleLabel} onClick={onToggle} expanded={!collapsed} testId="upload-collapse">
          {collapsed ? <IconChevronUp size={20} /> : <IconChevronDown size={20} />}
        </HeadButton>
      </div>
      {busy && (
        <Progress
          value={totals.share * 100}
          size={5}
          color="var(--ms-accent)"
          mt={6}
          mr={8}
          aria-label={t('uploads.panel')}
          transitionDuration={200}
        />
      )}
    </div>
  );
}

function Headline({ totals }: { totals: Totals }) {
  const { t, i18n } = useTranslation();
  const online = useConnection((connection) => connection.online);
  const details = [
    totals.active + totals.paused > 0 ? formatPercent(totals.share, i18n.language) : null,
    totals.speed > 0 ? formatSpeed(totals.speed, i18n.language) : null,
    totals.secondsLeft === null || totals.speed === 0
      ? null
      : t('uploads.left', { time: formatDuration(totals.secondsLeft, i18n.language) }),
  ].filter(Boolean);
  const title = () => {
    if (totals.waiting) return t(online ? 'uploads.title.waiting' : 'uploads.title.offline');
    if (totals.active) return t('uploads.title.active', { count: totals.active });
    if (totals.paused) return t('uploads.title.paused');
    if (totals.failed) return t('uploads.title.failed', { count: totals.failed });
    if (totals.interrupted) return t('uploads.title.interrupted', { count: totals.interrupted });
    return t('uploads.title.done', { count: totals.done });
  };
  return (
    <>
      <Text fw={650} truncate data-testid="upload-headline">
        {title()}
      </Text>
      {details.length > 0 && (
        <Text size="xs" c="dimmed" className="tabular" data-testid="upload-total">
          {details.join(' · ')}
        </Text>
      )}
    </>
  );
}

interface HeadButtonProps {
  label: string;
  onClick: () => void;
  testId: string;
  expanded?: boolean;
  children: React.ReactNode;
}

function HeadButton({ label, onClick, testId, expanded, children }: HeadButtonProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        size={36}
        onClick={onClick}
        aria-label={label}
        aria-expanded={expanded}
        data-testid={testId}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
