/** Numbers of the command line. */
import { InvalidArgumentError } from 'commander';

export function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !(value > 0) || value > 2 ** 31)
    throw new InvalidArgumentError(`"${text}" is not a positive integer.`);
  return value;
}

export function parsePositive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0) || !Number.isFinite(value))
    throw new InvalidArgumentError(`"${text}" is not a positive number.`);
  return value;
}
