import { Tooltip, UnstyledButton } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import type { ComponentPropsWithoutRef, Ref } from 'react';
import classes from './icon-button.module.css';

interface Props extends Omit<ComponentPropsWithoutRef<'button'>, 'children'> {
  icon: Icon;
  label: string;
  size?: number;
  testId?: string;
  ref?: Ref<HTMLButtonElement>;
}

/** An icon button of the viewer, with a tooltip and an accessible name. */
export function IconButton({
  icon: Picture,
  label,
  size = 22,
  testId,
  ref,
  disabled,
  onClick,
  className = '',
  ...rest
}: Props) {
  return (
    // Inside the layer, so that it is visible in full screen too.
    <Tooltip label={label} withinPortal={false} zIndex={10} disabled={rest['aria-expanded'] === true}>
      <UnstyledButton
        ref={ref}
        className={`${classes.button} ${className}`}
        aria-label={label}
        // Keeps the focus when it becomes disabled.
        aria-disabled={disabled || undefined}
        data-testid={testId}
        onClick={disabled ? undefined : onClick}
        {...rest}
      >
        <Picture size={size} stroke={1.8} aria-hidden="true" />
      </UnstyledButton>
    </Tooltip>
  );
}
