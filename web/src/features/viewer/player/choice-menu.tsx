import { Menu } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import { IconButton } from '../components/icon-button';
import classes from './choice-menu.module.css';

/** An option of the menu. */
export interface Group {
  label: string;
  value: string;
  options: { value: string; label: string }[];
  onChoose: (value: string) => void;
}

interface Props {
  icon: Icon;
  label: string;
  testId: string;
  groups: Group[];
  /** Called when the menu opens or closes: open menus keep the controls visible. */
  onOpen: (open: boolean) => void;
}

/** A button of the player that opens a menu of options. */
export function ChoiceMenu({ icon, label, testId, groups, onOpen }: Props) {
  return (
    // Inside the player, so that it is visible in full screen too.
    <Menu
      position="top-end"
      withinPortal={false}
      width={210}
      onChange={onOpen}
      transitionProps={{ duration: 80 }}
    >
      <Menu.Target>
        <IconButton icon={icon} label={label} testId={testId} />
      </Menu.Target>
      <Menu.Dropdown className={classes.dropdown} data-testid={`${testId}-menu`}>
        {groups.map((group) => (
          <Menu.RadioGroup key={group.label} value={group.value} onChange={group.onChoose}>
            <Menu.Label className={classes.label}>{group.label}</Menu.Label>
            {group.options.map(({ value, label: words }) => (
              <Menu.RadioItem key={value} value={value} className={classes.item} closeMenuOnClick>
                {words}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
