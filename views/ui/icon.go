package ui

import "countinghouse/static"

// IconName names one symbol of static/icons.svg. The names are lucide's, so
// that a reader can look one up.
type IconName string

// Every symbol of the sprite. A test holds the two lists together.
const (
	IconLandmark           IconName = "landmark"
	IconHouse              IconName = "house"
	IconArrowLeftRight     IconName = "arrow-left-right"
	IconStamp              IconName = "stamp"
	IconRows3              IconName = "rows-3"
	IconMapPinCheck        IconName = "map-pin-check"
	IconScale              IconName = "scale"
	IconListChecks         IconName = "list-checks"
	IconWebhook            IconName = "webhook"
	IconBuilding2          IconName = "building-2"
	IconPlug               IconName = "plug"
	IconScrollText         IconName = "scroll-text"
	IconSettings2          IconName = "settings-2"
	IconSearch             IconName = "search"
	IconChevronsUpDown     IconName = "chevrons-up-down"
	IconChevronDown        IconName = "chevron-down"
	IconChevronLeft        IconName = "chevron-left"
	IconChevronRight       IconName = "chevron-right"
	IconPlus               IconName = "plus"
	IconX                  IconName = "x"
	IconCheck              IconName = "check"
	IconCopy               IconName = "copy"
	IconDownload           IconName = "download"
	IconUpload             IconName = "upload"
	IconFileText           IconName = "file-text"
	IconPrinter            IconName = "printer"
	IconExternalLink       IconName = "external-link"
	IconCircleAlert        IconName = "circle-alert"
	IconTriangleAlert      IconName = "triangle-alert"
	IconInfo               IconName = "info"
	IconCircleCheck        IconName = "circle-check"
	IconCircleQuestionMark IconName = "circle-question-mark"
	IconClock              IconName = "clock"
	IconHourglass          IconName = "hourglass"
	IconRefreshCw          IconName = "refresh-cw"
	IconLock               IconName = "lock"
	IconKeyRound           IconName = "key-round"
	IconShieldCheck        IconName = "shield-check"
	IconUser               IconName = "user"
	IconUsers              IconName = "users"
	IconLogOut             IconName = "log-out"
	IconSun                IconName = "sun"
	IconMoon               IconName = "moon"
	IconSunMoon            IconName = "sun-moon"
	IconListFilter         IconName = "list-filter"
	IconColumns3           IconName = "columns-3"
	IconBookmark           IconName = "bookmark"
	IconEye                IconName = "eye"
	IconEyeOff             IconName = "eye-off"
	IconTrash2             IconName = "trash-2"
	IconPencil             IconName = "pencil"
	IconBan                IconName = "ban"
	IconPause              IconName = "pause"
	IconPlay               IconName = "play"
	IconQrCode             IconName = "qr-code"
	IconArrowRight         IconName = "arrow-right"
	IconArrowUpRight       IconName = "arrow-up-right"
	IconArrowDownLeft      IconName = "arrow-down-left"
	IconMenu               IconName = "menu"
	IconCalendar           IconName = "calendar"
	IconBell               IconName = "bell"
	IconHistory            IconName = "history"
	IconEllipsis           IconName = "ellipsis"
	IconUndo2              IconName = "undo-2"
	IconWallet             IconName = "wallet"
	IconCreditCard         IconName = "credit-card"
	IconSend               IconName = "send"
	IconDatabase           IconName = "database"
	IconFingerprint        IconName = "fingerprint"
	IconPaperclip          IconName = "paperclip"
	IconLink               IconName = "link"
	IconGlobe              IconName = "globe"
	IconInbox              IconName = "inbox"
)

// Icons lists every icon in the order of the sprite, for the kit page.
func Icons() []IconName {
	return []IconName{
		IconLandmark,
		IconHouse,
		IconArrowLeftRight,
		IconStamp,
		IconRows3,
		IconMapPinCheck,
		IconScale,
		IconListChecks,
		IconWebhook,
		IconBuilding2,
		IconPlug,
		IconScrollText,
		IconSettings2,
		IconSearch,
		IconChevronsUpDown,
		IconChevronDown,
		IconChevronLeft,
		IconChevronRight,
		IconPlus,
		IconX,
		IconCheck,
		IconCopy,
		IconDownload,
		IconUpload,
		IconFileText,
		IconPrinter,
		IconExternalLink,
		IconCircleAlert,
		IconTriangleAlert,
		IconInfo,
		IconCircleCheck,
		IconCircleQuestionMark,
		IconClock,
		IconHourglass,
		IconRefreshCw,
		IconLock,
		IconKeyRound,
		IconShieldCheck,
		IconUser,
		IconUsers,
		IconLogOut,
		IconSun,
		IconMoon,
		IconSunMoon,
		IconListFilter,
		IconColumns3,
		IconBookmark,
		IconEye,
		IconEyeOff,
		IconTrash2,
		IconPencil,
		IconBan,
		IconPause,
		IconPlay,
		IconQrCode,
		IconArrowRight,
		IconArrowUpRight,
		IconArrowDownLeft,
		IconMenu,
		IconCalendar,
		IconBell,
		IconHistory,
		IconEllipsis,
		IconUndo2,
		IconWallet,
		IconCreditCard,
		IconSend,
		IconDatabase,
		IconFingerprint,
		IconPaperclip,
		IconLink,
		IconGlobe,
		IconInbox,
	}
}

func iconHref(name IconName) string { return static.URL("icons.svg") + "#" + string(name) }
