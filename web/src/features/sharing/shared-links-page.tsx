import { Title } from '@mantine/core';
import { IconLink } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { NoticeState } from '@/components/notice-state';
import { LinkList } from './components/link-list';
import classes from './components/links.module.css';
import { useLinks } from './use-links';

/** All links of the user. */
export function SharedLinksPage() {
  const { t } = useTranslation();
  const links = useLinks(null);
  return (
    <div className={classes.page}>
      <div className={classes.column}>
        <Title order={1} size="h2" mb="lg">
          {t('sharing.links')}
        </Title>
        {links.items?.length === 0 ? (
          <NoticeState
            icon={<IconLink size={34} />}
            title={t('sharing.pageNone')}
            text={t('sharing.pageNoneText')}
          />
        ) : (
          <LinkList links={links} named />
        )}
      </div>
    </div>
  );
}
