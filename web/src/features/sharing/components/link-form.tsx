import {
  Button,
  Checkbox,
  Group,
  NativeSelect,
  NumberInput,
  PasswordInput,
  Radio,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { NewShareLink, ShareLink } from '@/api/types';
import { useErrorText } from '@/components/error-text';
import { EXPIRIES, type Expiry } from '../expiry';
import { faultsOf, type LinkTerms, termsOf, valuesOf } from '../link-terms';
import classes from './links.module.css';

interface Props {
  /** The link to change; a new one without it. */
  link?: ShareLink;
  title: string;
  submitLabel: string;
  onSubmit: (values: Omit<NewShareLink, 'resourceId'>) => Promise<void>;
  onCancel: (() => void) | undefined;
}

/** The terms of a link: what visitors may do, until when, how often, and with which password. */
export function LinkForm({ link, title, submitLabel, onSubmit, onCancel }: Props) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const id = useId();
  const [terms, setTerms] = useState(() => termsOf(link));
  const [checked, setChecked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const faults = checked ? faultsOf(terms) : {};
  const set = (change: Partial<LinkTerms>) => setTerms((now) => ({ ...now, ...change }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (Object.keys(faultsOf(terms)).length) return;
    setBusy(true);
    setError(null);
    try {
      await onSubmit(valuesOf(terms, link));
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className={classes.panel} onSubmit={submit} aria-labelledby={id} noValidate data-testid="link-form">
      <Text id={id} fw={620}>
        {title}
      </Text>
      <Radio.Group
        label={t('sharing.permission.label')}
        value={terms.permission}
        onChange={(value) => set({ permission: value === 'DOWNLOAD' ? 'DOWNLOAD' : 'VIEW' })}
      >
        <Stack gap="xs" mt={6}>
          <Radio
            value="VIEW"
            label={t('sharing.permission.VIEW')}
            description={t('sharing.permission.viewText')}
            data-testid="permission-VIEW"
          />
          <Radio
            value="DOWNLOAD"
            label={t('sharing.permission.DOWNLOAD')}
            description={t('sharing.permission.downloadText')}
            data-testid="permission-DOWNLOAD"
          />
        </Stack>
      </Radio.Group>
      <div className={classes.fields}>
        <NativeSelect
          label={t('sharing.form.expires')}
          value={terms.expiry}
          onChange={(event) => set({ expiry: event.currentTarget.value as Expiry })}
          data={EXPIRIES.map((value) => ({ value, label: t(`sharing.form.expiry.${value}`) }))}
          data-testid="link-expiry"
        />
        {terms.expiry === 'chosen' && (
          <TextInput
            type="datetime-local"
            label={t('sharing.form.expiry.moment')}
            value={terms.moment}
            onChange={(event) => set({ moment: event.currentTarget.value })}
            error={faults.moment && t(`sharing.form.${faults.moment}`)}
          />
        )}
        <NumberInput
          label={t('sharing.form.max')}
          description={t('sharing.form.maxText')}
          value={terms.max}
          onChange={(max) => set({ max })}
          allowDecimal={false}
          allowNegative={false}
          hideControls
          error={faults.max && t(`sharing.form.${faults.max}`)}
          data-testid="link-max"
        />
        <PasswordInput
          label={t('sharing.form.password')}
          description={t(link?.hasPassword ? 'sharing.form.passwordKeep' : 'sharing.form.passwordText')}
          value={terms.password}
          onChange={(event) => set({ password: event.currentTarget.value, passwordOff: false })}
          autoComplete="new-password"
          maxLength={256}
          visibilityToggleButtonProps={{ 'aria-label': t('sharing.form.showPassword') }}
          data-testid="link-password"
        />
        <TextInput
          label={t('sharing.form.label')}
          description={t('sharing.form.labelText')}
          value={terms.label}
          onChange={(event) => set({ label: event.currentTarget.value })}
          maxLength={100}
          autoComplete="off"
          data-testid="link-label"
        />
      </div>
      {link?.hasPassword && (
        <Checkbox
          label={t('sharing.form.passwordOff')}
          checked={terms.passwordOff}
          onChange={(event) => set({ passwordOff: event.currentTarget.checked, password: '' })}
        />
      )}
      {link && (
        <Text size="sm" c="dimmed">
          {t('sharing.form.warn')}
        </Text>
      )}
      {error !== null && (
        <Text role="alert" c="var(--mantine-color-error)" size="sm">
          {errorText(error)}
        </Text>
      )}
      <Group justify="flex-end">
        {onCancel && (
          <Button variant="default" onClick={onCancel}>
            {t('common.cancel')}
          </Button>
        )}
        <Button type="submit" loading={busy} data-testid="link-submit">
          {submitLabel}
        </Button>
      </Group>
    </form>
  );
}
