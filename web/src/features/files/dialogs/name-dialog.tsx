import { Button, Group, Modal, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useErrorText } from '@/components/error-text';
import { nameFault, normalName, splitName } from '@/lib/names';

interface Props {
  opened: boolean;
  title: string;
  label: string;
  submitLabel: string;
  initial: string;
  /** Whether to select only the part before the extension. */
  keepExtension?: boolean;
  onSubmit: (name: string) => Promise<void>;
  onClose: () => void;
}

/** Asks for a name, and validates it before and after sending. */
export function NameDialog({ opened, title, onClose, ...rest }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      {opened && <NameForm {...rest} onClose={onClose} />}
    </Modal>
  );
}

function NameForm({
  label,
  submitLabel,
  initial,
  keepExtension,
  onSubmit,
  onClose,
}: Omit<Props, 'opened' | 'title'>) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const [name, setName] = useState(initial);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const end = keepExtension ? splitName(initial)[0].length : initial.length;
    const timer = setTimeout(() => {
      input.current?.focus();
      input.current?.setSelectionRange(0, end);
    }, 50);
    return () => clearTimeout(timer);
  }, [initial, keepExtension]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const fault = nameFault(name);
    if (fault) return setError(t(`files.nameFault.${fault}`));
    if (normalName(name) === initial && keepExtension !== undefined) return onClose();
    setBusy(true);
    try {
      await onSubmit(normalName(name));
      onClose();
    } catch (reason) {
      setError(errorText(reason));
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit}>
      <TextInput
        ref={input}
        label={label}
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value);
          setError(null);
        }}
        error={error}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        data-testid="name-input"
      />
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          {t('common.cancel')}
        </Button>
        <Button type="submit" loading={busy} data-testid="name-submit">
          {submitLabel}
        </Button>
      </Group>
    </form>
  );
}
