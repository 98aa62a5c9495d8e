import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Item, SharedLink } from '@/api/types';
import { FileGlyph } from '@/components/file-glyph';
import { Logo } from '@/components/logo';
import { formatBytes, formatMoment } from '@/lib/format';
import classes from './shared.module.css';

interface Props {
  /** The shared file or folder, once the link is open. */
  item?: Item;
  link?: SharedLink;
  children: ReactNode;
}

/** The layout of a link's page: what is shared and by whom, above the content. */
export function Frame({ item, link, children }: Props) {
  const { t } = useTranslation();
  return (
    <div className={classes.frame}>
      <header className={classes.top}>
        <Logo />
      </header>
      <main id="content" tabIndex={-1} className={classes.sheet} data-closed={item ? undefined : true}>
        {item && link && <Heading item={item} link={link} />}
        {children}
      </main>
      <footer className={classes.foot}>{t('shared.foot')}</footer>
    </div>
  );
}

function Heading({ item, link }: { item: Item; link: SharedLink }) {
  const { t, i18n } = useTranslation();
  const folder = item.kind === 'folder';
  const facts = [
    folder ? t('files.kind.folder') : formatBytes(item.size, i18n.language),
    link.ownerName && t('shared.by', { name: link.ownerName }),
    link.expiresAt && t('shared.until', { when: formatMoment(link.expiresAt, i18n.language) }),
    link.permission === 'VIEW' && t('shared.viewOnly'),
  ];
  return (
    <div className={classes.heading}>
      <FileGlyph name={item.name} folder={folder} mimeType={folder ? '' : item.mimeType} size={34} />
      <div className={classes.names}>
        <h1 className={classes.name} data-testid="shared-name">
          {item.name}
        </h1>
        <p className={classes.facts} data-testid="shared-facts">
          {facts.filter(Boolean).join(' · ')}
        </p>
      </div>
    </div>
  );
}
