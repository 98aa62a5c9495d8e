import { ActionIcon, Button, Menu } from '@mantine/core';
import { IconFolderPlus, IconFolderUp, IconPlus, IconUpload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useUploadPickers } from '@/features/uploads';

interface Props {
  onNewFolder: () => void;
  wide?: boolean;
}

/** The menu for adding files, a folder of files, or an empty folder. */
export function NewMenu({ onNewFolder, wide = false }: Props) {
  const { t } = useTranslation();
  const { pickFiles, pickFolder } = useUploadPickers();
  return (
    <Menu position="bottom-start" width={220}>
      <Menu.Target>
        {wide ? (
          <Button
            size="md"
            radius="md"
            leftSection={<IconPlus size={20} />}
            justify="flex-start"
            data-testid="new"
          >
            {t('files.new')}
          </Button>
        ) : (
          <ActionIcon
            variant="filled"
            color="pine"
            size={40}
            radius="md"
            aria-label={t('files.new')}
            data-testid="new-narrow"
          >
            <IconPlus size={22} />
          </ActionIcon>
        )}
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconUpload size={18} />} onClick={pickFiles} data-testid="upload-files">
          {t('uploads.files')}
        </Menu.Item>
        <Menu.Item leftSection={<IconFolderUp size={18} />} onClick={pickFolder} data-testid="upload-folder">
          {t('uploads.folder')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconFolderPlus size={18} />} onClick={onNewFolder} data-testid="new-folder">
          {t('files.newFolder')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
