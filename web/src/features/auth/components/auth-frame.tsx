import { List, Text, Title } from '@mantine/core';
import { IconBell, IconPlayerTrackNext, IconStack2 } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Logo } from '@/components/logo';
import classes from './auth-frame.module.css';

interface Props {
  title: string;
  corner: ReactNode;
  children: ReactNode;
}

/** The layout of the pages before sign-in: a description of the product beside the form. */
export function AuthFrame({ title, corner, children }: Props) {
  const { t } = useTranslation();
  return (
    <div className={classes.frame}>
      <aside className={classes.pitch}>
        <Logo />
        <div>
          <p className={classes.slogan}>{t('auth.pitch.title')}</p>
          <List spacing="sm" center classNames={{ item: classes.point, itemIcon: classes.pointIcon }}>
            <List.Item icon={<IconStack2 size={20} />}>{t('auth.pitch.parts')}</List.Item>
            <List.Item icon={<IconPlayerTrackNext size={20} />}>{t('auth.pitch.resume')}</List.Item>
            <List.Item icon={<IconBell size={20} />}>{t('auth.pitch.live')}</List.Item>
          </List>
        </div>
        <Blocks />
      </aside>
      <main className={classes.side} id="content">
        <div className={classes.corner}>{corner}</div>
        <div className={classes.form}>
          <div className={classes.smallLogo}>
            <Logo />
          </div>
          <Title order={1} size="h2" mb="lg">
            {title}
          </Title>
          {children}
        </div>
        <Text size="xs" c="dimmed" className={classes.foot}>
          {t('common.tagline')}
        </Text>
      </main>
    </div>
  );
}

/** An illustration of a file uploaded in parts. */
function Blocks() {
  const cells = Array.from({ length: 20 }, (_, index) => index);
  return (
    <div className={classes.blocks} aria-hidden="true">
      {cells.map((cell) => (
        <span
          key={cell}
          className={classes.block}
          data-state={cell < 11 ? 'stored' : cell < 14 ? 'moving' : 'open'}
        />
      ))}
    </div>
  );
}
