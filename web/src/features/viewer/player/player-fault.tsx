import { IconMoodSad } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Notice } from '../components/notice';

interface Props {
  onAgain: () => void;
  onDownload: (() => void) | undefined;
}

/** Shown when the file could not be played. */
export function PlayerFault({ onAgain, onDownload }: Props) {
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
