import { type ChangeEvent, type ReactNode, useCallback, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { filesOfInput, pickWithHandles } from '@/lib/chosen-files';
import { uploads } from './uploads';

/**
 * Resumes a row: at once where its file can be read, else after the user has chosen it again. Render `input` once; call
 * `resume` from a click.
 */
export function useChooseAgain(): { resume: (id: string) => void; input: ReactNode } {
  const { t } = useTranslation();
  const wanted = useRef<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const resume = useCallback(async (id: string) => {
    if (await uploads.resume(id)) return;
    const picked = await pickWithHandles();
    if (picked?.[0]) uploads.resumeWith(id, picked[0]);
    if (picked) return;
    wanted.current = id;
    input.current?.click();
  }, []);
  const onChange = (event: ChangeEvent<HTMLInputElement>) => {
    const [file] = filesOfInput(event.target.files ?? []);
    if (file && wanted.current) uploads.resumeWith(wanted.current, file);
    event.target.value = '';
  };
  const node = (
    <input
      ref={input}
      type="file"
      hidden
      onChange={onChange}
      aria-label={t('uploads.files')}
      data-testid="upload-again-input"
    />
  );
  return { resume, input: node };
}
