-- AlterTable
ALTER TABLE "provider" ADD COLUMN     "paused_until" TIMESTAMPTZ(3);
