import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { User } from '@/api/types';
import { LanguageChoice } from './components/language-choice';
import { SchemeChoice } from './components/scheme-choice';
import { Sessions } from './components/sessions';
import classes from './components/settings.module.css';
import { StorageMeter } from './components/storage-meter';

/** The settings: profile, appearance, storage and devices. */
export function SettingsPage({ user }: { user: User }) {
  const { t } = useTranslation();
  return (
    <div className={classes.page}>
      <div className={classes.column}>
        <Title order={1} size="h2">
          {t('account.title')}
        </Title>
        <Section title={t('account.profile')}>
          <dl className={classes.fields}>
            <Field term={t('auth.register.username')}>{user.username}</Field>
            <Field term={t('auth.register.email')}>{user.email}</Field>
            <Field term={t('account.plan')}>{user.plan}</Field>
          </dl>
          <StorageMeter user={user} testId="settings-storage" />
        </Section>
        <Section title={t('account.appearance')}>
          <div className={classes.choice}>
            <Text>{t('account.language')}</Text>
            <LanguageChoice />
          </div>
          <div className={classes.choice}>
            <Text>{t('account.scheme.label')}</Text>
            <SchemeChoice />
          </div>
        </Section>
        <Section title={t('account.sessions.title')} text={t('account.sessions.text')}>
          <Sessions />
        </Section>
      </div>
    </div>
  );
}

function Section({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <section className={classes.section}>
      <Title order={2} size="h4" mb={text ? 2 : 'sm'}>
        {title}
      </Title>
      {text && (
        <Text c="dimmed" size="sm" mb="sm">
          {text}
        </Text>
      )}
      {children}
    </section>
  );
}

function Field({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}
