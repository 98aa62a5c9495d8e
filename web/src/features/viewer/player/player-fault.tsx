import { IconMoodSad } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Notice } from '../components/notice';

/** Shown when the file could not be played. */
export function PlayerFault({ onAgain, onDownload }: { onAgain: () => void; onDownload: () => void }) {
  const { t } = useTranslation();
  return (
    <Notice
      alert
      icon={<IconMoodSad size={38} />}
      title={t('viewer.failed.title')}
      text={t('viewer.failed.play')}
      onAgain={onAgain}
      onDownload={onDownload}
    />
  );
}
