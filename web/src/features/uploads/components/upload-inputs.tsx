import { type ChangeEvent, createContext, type ReactNode, useContext, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { filesOfInput, pickWithHandles } from '@/lib/chosen-files';
import { uploads } from '../uploads';
import { useChooseAgain } from '../use-choose-again';

interface Pickers {
  /** Choose files for the folder that `UploadInputs` was given. */
  pickFiles: () => void;
  /** Choose a whole folder. */
  pickFolder: () => void;
  /** Resume a row: at once where its file can be read, else after choosing it again. */
  resume: (id: string) => void;
}

const Context = createContext<Pickers>({ pickFiles: () => {}, pickFolder: () => {}, resume: () => {} });

/** Opens the browser's file pickers; call them from a click. */
export const useUploadPickers = () => useContext(Context);

/** Renders the file inputs that buttons below it open. */
export function UploadInputs({ folder, children }: { folder: string; children: ReactNode }) {
  const { t } = useTranslation();
  const files = useRef<HTMLInputElement>(null);
  const directory = useRef<HTMLInputElement>(null);
  const target = useRef(folder);
  target.current = folder;
  const again = useChooseAgain();
  const pickers = useMemo<Pickers>(
    () => ({
      pickFiles: async () => {
        const picked = await pickWithHandles();
        if (picked) await uploads.add(picked, target.current);
        else files.current?.click();
      },
      pickFolder: () => directory.current?.click(),
      resume: again.resume,
    }),
    [again.resume],
  );
  const take = (event: ChangeEvent<HTMLInputElement>) => {
    void uploads.add(filesOfInput(event.target.files ?? []), target.current);
    event.target.value = '';
  };
  return (
    <Context value={pickers}>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        onChange={take}
        aria-label={t('uploads.files')}
        data-testid="upload-input"
      />
      <input
        ref={directory}
        type="file"
        hidden
        onChange={take}
        aria-label={t('uploads.folder')}
        data-testid="upload-folder-input"
        {...{ webkitdirectory: '' }}
      />
      {again.input}
      {children}
    </Context>
  );
}
