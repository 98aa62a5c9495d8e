import { Button, PasswordInput, Text, Title } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isProblem } from '@/api/problem';
import { useErrorText } from '@/components/error-text';
import classes from './shared.module.css';

interface Props {
  error: unknown;
  busy: boolean;
  /** Whether the link was open before. */
  again: boolean;
  onSubmit: (password: string) => void;
}

/** Asks for a link's password. */
export function PasswordForm({ error, busy, again, onSubmit }: Props) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const [password, setPassword] = useState('');
  const [missing, setMissing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (error) input.current?.select();
  }, [error]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setMissing(!password);
    if (password) onSubmit(password);
  };
  const wrong = isProblem(error, 'wrong-password') ? t('shared.password.wrong') : errorText(error);
  return (
    <form className={classes.password} onSubmit={submit} data-testid="shared-password-form">
      <div className={classes.lock} aria-hidden="true">
        <IconLock size={32} />
      </div>
      <Title order={1} size="h3">
        {t('shared.password.title')}
      </Title>
      <Text c="dimmed">{t(again ? 'shared.password.ended' : 'shared.password.text')}</Text>
      <PasswordInput
        ref={input}
        label={t('shared.password.label')}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        error={missing ? t('shared.password.missing') : error ? wrong : null}
        autoComplete="off"
        autoFocus
        visibilityToggleButtonProps={{ 'aria-label': t('shared.password.show') }}
        data-testid="shared-password"
      />
      <Button type="submit" loading={busy} fullWidth data-testid="shared-password-submit">
        {t('shared.password.submit')}
      </Button>
    </form>
  );
}
