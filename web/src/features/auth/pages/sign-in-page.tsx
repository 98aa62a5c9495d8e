import { Alert, Anchor, Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useErrorText } from '@/components/error-text';
import { AuthFrame } from '../components/auth-frame';
import { configQuery, useSignIn } from '../queries';

interface Props {
  /** Whether to say that the session has ended. */
  ended: boolean;
  corner: ReactNode;
  onSignedIn: () => void;
}

/** The sign-in form. */
export function SignInPage({ ended, corner, onSignedIn }: Props) {
  const { t } = useTranslation();
  const signIn = useSignIn();
  const errorText = useErrorText();
  const config = useQuery(configQuery);
  const required = (value: string) => (value ? null : t('auth.error.required'));
  const form = useForm({
    initialValues: { username: '', password: '' },
    validate: { username: required, password: required },
  });
  const submit = form.onSubmit((values) => signIn.mutate(values, { onSuccess: onSignedIn }));
  return (
    <AuthFrame title={t('auth.signIn.title')} corner={corner}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {ended && !signIn.error && <Alert color="yellow">{t('auth.ended')}</Alert>}
          {signIn.error && (
            <Alert color="red" role="alert" data-testid="login-error">
              {errorText(signIn.error)}
            </Alert>
          )}
          <TextInput
            label={t('auth.signIn.username')}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            data-testid="login-username"
            {...form.getInputProps('username')}
          />
          <PasswordInput
            label={t('auth.signIn.password')}
            autoComplete="current-password"
            data-testid="login-password"
            {...form.getInputProps('password')}
          />
          <Button type="submit" size="md" mt="xs" loading={signIn.isPending} data-testid="login-submit">
            {t('auth.signIn.submit')}
          </Button>
          <Text size="sm" c="dimmed">
            {config.data?.registration === 'closed' ? (
              t('auth.signIn.closed')
            ) : (
              <>
                {t('auth.signIn.noAccount')}{' '}
                <Anchor component={Link} to="/register" underline="always" inherit data-testid="to-register">
                  {t('auth.signIn.register')}
                </Anchor>
              </>
            )}
          </Text>
        </Stack>
      </form>
    </AuthFrame>
  );
}
