import { Alert, Anchor, Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '@/api/problem';
import { useErrorText } from '@/components/error-text';
import { AuthFrame } from '../components/auth-frame';
import { configQuery, useRegister } from '../queries';

interface Props {
  corner: ReactNode;
  onRegistered: () => void;
}

/** The registration form, or a notice that registration is closed. */
export function RegisterPage({ corner, onRegistered }: Props) {
  const { t } = useTranslation();
  const config = useQuery(configQuery);
  const closed = config.data?.registration === 'closed';
  return (
    <AuthFrame title={t(closed ? 'auth.register.closedTitle' : 'auth.register.title')} corner={corner}>
      {closed ? (
        <Text mb="md">{t('auth.register.closedText')}</Text>
      ) : (
        <RegisterForm onRegistered={onRegistered} />
      )}
      <Text size="sm" c="dimmed" mt="md">
        {t('auth.register.haveAccount')}{' '}
        <Anchor component={Link} to="/sign-in" underline="always" inherit>
          {t('auth.register.signIn')}
        </Anchor>
      </Text>
    </AuthFrame>
  );
}

function RegisterForm({ onRegistered }: { onRegistered: () => void }) {
  const { t } = useTranslation();
  const register = useRegister();
  const errorText = useErrorText();
  const form = useForm({
    initialValues: { username: '', email: '', displayName: '', password: '' },
    validate: {
      username: (value) => (value.trim().length < 3 ? t('auth.error.shortUsername') : null),
      email: (value) => (/^\S+@\S+\.\S+$/.test(value.trim()) ? null : t('auth.error.email')),
      password: (value) => (value.length < 8 ? t('auth.error.shortPassword') : null),
    },
  });
  const submit = form.onSubmit(({ username, email, displayName, password }) =>
    register.mutate(
      { username: username.trim(), email: email.trim(), displayName: displayName.trim() || null, password },
      { onSuccess: onRegistered, onError: (error) => form.setErrors(fieldErrors(error)) },
    ),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {register.error && (
          <Alert color="red" role="alert" data-testid="register-error">
            {errorText(register.error)}
          </Alert>
        )}
        <TextInput
          label={t('auth.register.username')}
          description={t('auth.register.usernameHint')}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          data-testid="register-username"
          {...form.getInputProps('username')}
        />
        <TextInput
          label={t('auth.register.email')}
          type="email"
          autoComplete="email"
          data-testid="register-email"
          {...form.getInputProps('email')}
        />
        <TextInput
          label={t('auth.register.displayName')}
          autoComplete="name"
          data-testid="register-display-name"
          {...form.getInputProps('displayName')}
        />
        <PasswordInput
          label={t('auth.register.password')}
          description={t('auth.register.passwordHint')}
          autoComplete="new-password"
          data-testid="register-password"
          {...form.getInputProps('password')}
        />
        <Button type="submit" size="md" mt="xs" loading={register.isPending} data-testid="register-submit">
          {t('auth.register.submit')}
        </Button>
      </Stack>
    </form>
  );
}

/** Maps the fields that the server rejected to messages. */
function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof ApiProblem)) return {};
  return Object.fromEntries(
    error.errors.map(({ field, message }) => [field.split('.').at(-1) ?? field, message]),
  );
}
